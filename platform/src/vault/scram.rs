//! The verifier of a password, as Postgres stores it (RFC 5802 and 7677): it lets somebody check the
//! password, and says nothing of it.

use data_encoding::BASE64;

use super::crypto::{self, KEY_LEN};

/// Rounds protect passwords that can be guessed. Ours have 256 bits, and whoever connects has to go through all rounds
/// each time: with the 4096 that Postgres itself takes, a new connection costs milliseconds.
const ROUNDS: u32 = 16;

/// The verifier of a password of 256 random bits, in ASCII, which needs no further preparation.
pub fn scram_verifier(password: &str, salt: &[u8; 16]) -> String {
    verifier(password, salt, ROUNDS)
}

fn verifier(password: &str, salt: &[u8; 16], rounds: u32) -> String {
    let salted = salted(password, salt, rounds);
    let stored = crypto::sha256(&crypto::mac(&salted, &[b"Client Key"]));
    let server = crypto::mac(&salted, &[b"Server Key"]);
    let [salt, stored, server] = [&salt[..], &stored, &server].map(|bytes| BASE64.encode(bytes));
    format!("SCRAM-SHA-256${rounds}:{salt}${stored}:{server}")
}

/// PBKDF2 with HMAC-SHA-256, one block.
fn salted(password: &str, salt: &[u8], rounds: u32) -> [u8; KEY_LEN] {
    let mut round = crypto::mac(password.as_bytes(), &[salt, &1_u32.to_be_bytes()]);
    let mut all = round;
    for _ in 1..rounds {
        round = crypto::mac(password.as_bytes(), &[&round]);
        all.iter_mut().zip(round).for_each(|(all, one)| *all ^= one);
    }
    all
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::*;

    #[test]
    fn it_proves_what_the_example_of_rfc_7677_proves() {
        let salt: [u8; 16] = BASE64.decode(b"W22ZaJ0SNY7soEsUEjb6gQ==").unwrap().try_into().unwrap();
        let message = b"n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let verifier = verifier("pencil", &salt, 4096);
        let (_, server) = verifier.rsplit_once(':').unwrap();
        let signature = crypto::mac(&BASE64.decode(server.as_bytes()).unwrap(), &[message]);
        assert_eq!(BASE64.encode(&signature), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        let stored = verifier.split('$').nth(2).and_then(|keys| keys.split(':').next()).unwrap();
        let client = crypto::mac(&salted("pencil", &salt, 4096), &[b"Client Key"]);
        assert_eq!(stored, BASE64.encode(&crypto::sha256(&client)));
    }
}
