//! People who sign in, and the roles they hold.

mod create_user;
mod disable_user;
mod grant_role;
mod read;
mod set_password;

pub use create_user::{NewUser, create_user};
pub use disable_user::disable_user;
pub use grant_role::grant_role;
pub use read::users;
pub use set_password::set_password;
