//! Generated files are what their sources say. `make generate` writes them anew.

use praxis_graphql::limits::Limits;
use praxis_operators::ControlPlane;

#[test]
fn the_published_schema_is_the_one_that_is_served() {
    let served = praxis_graphql::build(Limits::default()).map(|api| api.sdl());
    assert!(served.is_ok_and(|sdl| sdl == include_str!("../../schema.graphql")), "run `make generate`");
}

#[test]
fn the_published_schema_of_the_control_plane_is_the_one_that_is_served() {
    assert_eq!(ControlPlane::sdl(), include_str!("../../control-plane.graphql"), "run `make generate`");
}
