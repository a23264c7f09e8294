//! What is sent twice: one example of each mutation, or the name of the test that has one.

mod access;
mod patients;
mod scheduling;
mod settings;
mod visits;
mod work;

/// One call of each mutation: the mutation, what to select, the input, and what later calls know of
/// the answer. `$name` in an input is what an earlier call kept.
///
/// They run in this order, as one story. A mutation that can't be part of it is tried elsewhere.
pub type Call = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

/// What the owner does, who has shown a second factor.
pub const STORY: &[&[Call]] =
    &[patients::CALLS, visits::CALLS, scheduling::CALLS, access::CALLS, work::CALLS, settings::CALLS];

/// What only somebody else may do: the privacy officer.
pub const BY_ANOTHER: &[Call] = &[(
    "breakGlassReview",
    "breakGlass { id version status }",
    r#"{ "id": "$breakGlass", "outcome": "JUSTIFIED", "comment": "It was right." }"#,
    &[],
)];

/// Mutations that need somebody or something that the story has not, and the test that sends them twice.
pub const ELSEWHERE: &[(&str, &str)] = &[
    ("calendarFeedCreate", "scheduling::feed::the_address_is_told_once_even_to_a_retry"),
    ("calendarFeedRevoke", "scheduling::feed::the_address_is_told_once_even_to_a_retry"),
    ("waitlistOfferAccept", "scheduling::waiting::an_answer_to_an_offer_sent_twice_counts_once"),
    ("waitlistOfferDecline", "scheduling::waiting::an_answer_to_an_offer_sent_twice_counts_once"),
    ("ruleActivate", "rules::what_is_done_under_one_key_is_done_once"),
    ("alertAcknowledge", "rules::what_is_done_under_one_key_is_done_once"),
    ("alertResolve", "rules::what_is_done_under_one_key_is_done_once"),
    ("alertOverride", "rules::what_is_done_under_one_key_is_done_once"),
    ("notificationRetry", "notifications::what_may_pass_is_tried_again_and_what_can_not_is_given_up"),
    ("userDisable", "identity::what_is_done_to_a_user_under_one_key_is_done_once"),
    ("userEnable", "identity::what_is_done_to_a_user_under_one_key_is_done_once"),
    ("userRename", "identity::what_is_done_to_a_user_under_one_key_is_done_once"),
    ("fieldPolicySet", "conditions::a_field_policy_sent_twice_is_set_once"),
    ("fieldPolicyRemove", "conditions::a_field_policy_sent_twice_is_set_once"),
    ("documentCosign", "documents::a_cosignature_sent_twice_is_given_once"),
    ("sessionEnd", "sessions::administration::people_see_their_sessions_and_end_them"),
    (
        "identityProviderAdd",
        "oidc::administration::providers_are_changed_by_whoever_may_and_shows_a_second_factor",
    ),
    (
        "identityProviderChange",
        "oidc::administration::providers_are_changed_by_whoever_may_and_shows_a_second_factor",
    ),
    (
        "identityProviderRemove",
        "oidc::administration::providers_are_changed_by_whoever_may_and_shows_a_second_factor",
    ),
    ("externalIdentityUnlink", "oidc::linking::a_person_sees_their_identities_and_unlinks_them"),
    (
        "userUnlinkIdentity",
        "oidc::linking::an_administrator_unlinks_an_identity_and_what_it_opened_is_over_within_two_seconds",
    ),
    (
        "securityAlertClose",
        "audit::reading::suspicious_access_raises_one_alert_each_and_somebody_else_closes_it",
    ),
    ("apiClientCreate", "operations::a_retried_creation_tells_no_secret_twice"),
    ("apiClientRotateSecret", "operations::a_retried_creation_tells_no_secret_twice"),
    ("apiClientRetire", "operations::a_retried_creation_tells_no_secret_twice"),
    ("totpEnrol", "factors::codes::a_secret_is_told_once_even_to_a_retry"),
    ("totpConfirm", "factors::codes::a_secret_is_told_once_even_to_a_retry"),
    ("totpRemove", "factors::codes::a_secret_is_told_once_even_to_a_retry"),
    ("passkeyRegisterStart", "factors::codes::a_secret_is_told_once_even_to_a_retry"),
    ("passkeyRegisterFinish", "factors::codes::a_secret_is_told_once_even_to_a_retry"),
    ("passkeyRename", "factors::codes::a_secret_is_told_once_even_to_a_retry"),
    ("passkeyRemove", "factors::codes::a_secret_is_told_once_even_to_a_retry"),
    ("recoveryCodesRenew", "factors::codes::a_secret_is_told_once_even_to_a_retry"),
    ("userResetSecondFactors", "factors::codes::a_secret_is_told_once_even_to_a_retry"),
    ("roleRequireSecondFactor", "factors::codes::a_secret_is_told_once_even_to_a_retry"),
];
