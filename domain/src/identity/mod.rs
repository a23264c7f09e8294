//! People who sign in, the roles they hold, and how they come to both.

mod address;
mod change_password;
mod create_user;
mod disable_user;
mod grant_role;
mod invitation;
mod link;
pub(crate) mod owners;
pub(crate) mod reach;
mod read;
mod rename_user;
mod set_password;
pub(crate) mod ways;

pub use change_password::change_password;
pub use create_user::{NewUser, create_user};
pub use disable_user::{disable_user, enable_user};
pub use grant_role::grant_role;
pub use invitation::{
    NewInvitation, accept_elsewhere, accept_invitation, accept_returned, invitations, invitations_by_ids,
    invite, resend_invitation, revoke_invitation,
};
pub use link::{
    Device, VALID as LINK_VALID, forget as forget_links, request_reset, request_sign_in, reset_password,
    sign_in as sign_in_by_link,
};
pub use read::{count_users, roles_by_ids, roles_of, user_page, users, users_by_ids};
pub use rename_user::rename_user;
pub use set_password::set_password;
