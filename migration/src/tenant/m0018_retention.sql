-- What is kept for a time only may be forgotten: mails that are past, and links that lead nowhere any more.

CREATE INDEX mail_message_past ON mail_message (created_at) WHERE status <> 'QUEUED';
CREATE INDEX account_link_past ON account_link (expires_at);
SELECT grant_to_runtime('mail_message', 'DELETE');
SELECT grant_to_runtime('account_link', 'DELETE');
