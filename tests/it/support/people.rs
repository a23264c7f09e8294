//! Test clients are people: who signs in at a clinic and asks, through the public API only.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use axum::http::StatusCode;
use praxis_entity::user_account;
use praxis_platform::session::{self, Method, SessionKind, SignIn};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use super::server::{Answer, PASSWORD, TestServer};

/// Somebody who signed in.
pub struct Person<'a> {
    server: &'a TestServer,
    /// The clinic's host.
    pub host: String,
    /// The whole Authorization header.
    pub bearer: String,
}

impl TestServer {
    /// Makes a user with a role and signs them in.
    pub async fn person(&self, slug: &str, role: &str) -> Person<'_> {
        let email = format!("{role}-{}@praxis.test", self.installation.clock.new_id().simple());
        self.user(slug, &email, role).await.unwrap();
        self.enter(slug, &email).await
    }

    /// Signs in a user who was made before.
    pub async fn enter(&self, slug: &str, email: &str) -> Person<'_> {
        let host = format!("{slug}.praxis.test");
        let answer = self.login(&host, email, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let bearer = format!("Bearer {}", answer.body["accessToken"].as_str().unwrap());
        Person { server: self, host, bearer }
    }

    /// The same, with a second factor shown just now.
    pub async fn proven(&self, slug: &str, role: &str) -> Person<'_> {
        let email = format!("{role}-{}@praxis.test", self.installation.clock.new_id().simple());
        self.user(slug, &email, role).await.unwrap();
        self.prove(slug, &email).await
    }

    /// Signs somebody in who shows a second factor.
    pub async fn prove(&self, slug: &str, email: &str) -> Person<'_> {
        let op = self.as_system(slug).await.unwrap();
        let user = user_account::Entity::find().filter(user_account::Column::Email.eq(email));
        let user = user.one(op.db()).await.unwrap().unwrap();
        let methods = [Method::Password, Method::Totp];
        let outcome = session::proceed(&op, &user, &methods, SessionKind::Bearer).await.unwrap();
        op.commit().await.unwrap();
        let SignIn::Opened(opened) = outcome else { unreachable!("a second factor was shown") };
        Person {
            server: self,
            host: format!("{slug}.praxis.test"),
            bearer: format!("Bearer {}", opened.token.as_str()),
        }
    }
}

impl Person<'_> {
    /// Asks, and hands out the whole answer.
    pub async fn send(&self, query: &str, variables: Value, headers: &[(&str, &str)]) -> Answer {
        let headers: Vec<_> =
            headers.iter().copied().chain([("authorization", self.bearer.as_str())]).collect();
        let body = json!({ "query": query, "variables": variables });
        self.server.post(&self.host, "/graphql", &headers, body).await
    }

    /// Asks for data; any error fails the test.
    pub async fn ask(&self, query: &str, variables: Value) -> Value {
        let answer = self.send(query, variables, &[]).await;
        assert!(answer.body["errors"].is_null(), "{}", answer.text);
        answer.body["data"].clone()
    }

    /// Runs one mutation under a key of its own and hands out its payload; any error fails the test.
    pub async fn run(&self, field: &str, select: &str, input: Value) -> Value {
        let query = mutation(field, select, &input);
        let key = self.server.installation.clock.new_id().to_string();
        let answer = self.send(&query, json!({ "input": input }), &[("idempotency-key", &key)]).await;
        assert!(answer.body["errors"].is_null(), "{}", answer.text);
        answer.body["data"][field].clone()
    }

    /// Registers a patient and returns their id.
    pub async fn register(&self, given: &str, family: &str, birth_date: &str) -> String {
        let input = json!({ "name": { "given": [given], "family": family }, "birthDate": birth_date,
            "email": format!("{}@example.org", family.to_lowercase()), "phone": "+442079460123",
            "addresses": [{ "lines": [STREET], "city": CITY }] });
        let data = self.ask(CREATE, json!({ "input": input })).await;
        assert_eq!(data["patientCreate"]["userErrors"], json!([]));
        data["patientCreate"]["patient"]["id"].as_str().unwrap().to_owned()
    }

    /// Registers a clinician with whom patients can be booked and returns their id.
    pub async fn clinician(&self, family: &str) -> String {
        let query = "mutation($input: PractitionerRegisterInput!) { practitionerRegister(input: $input) { practitioner { id } userErrors { message } } }";
        let data = self.ask(query, json!({ "input": { "family": family, "given": ["Ada"] } })).await;
        data["practitionerRegister"]["practitioner"]["id"].as_str().unwrap().to_owned()
    }

    /// Adds a branch and returns its id.
    pub async fn facility(&self, code: &str) -> String {
        let query = "mutation($input: FacilityAddInput!) { facilityAdd(input: $input) { facility { id } userErrors { message } } }";
        let input = json!({ "code": code, "name": code, "timeZone": "Europe/London" });
        let data = self.ask(query, json!({ "input": input })).await;
        data["facilityAdd"]["facility"]["id"].as_str().unwrap().to_owned()
    }
}

/// A mutation as it is written, with its input as the only variable; without one where it takes none.
pub fn mutation(field: &str, select: &str, input: &Value) -> String {
    if input.is_null() {
        return format!("mutation {{ {field} {{ {select} }} }}");
    }
    let (first, rest) = field.split_at(1);
    let input = format!("{}{rest}Input", first.to_uppercase());
    format!("mutation($input: {input}!) {{ {field}(input: $input) {{ {select} }} }}")
}

/// The street of all patients of the tests: it must be found nowhere afterwards.
pub const STREET: &str = "17 Zqvexlumor Wharf";
/// Their town.
pub const CITY: &str = "Zqbrindlethorpe";

/// Registers a patient.
pub const CREATE: &str = "mutation($input: PatientCreateInput!) { patientCreate(input: $input) {
    patient { id version mrn } duplicateCandidates { id } userErrors { __typename code path message ... on DuplicatePatientError { candidates { id } } } } }";
