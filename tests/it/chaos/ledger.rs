//! What was sent and what was acknowledged, on disk before the next is sent; in the form of `kits/chaos`.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::Write,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use axum::{Json, Router, extract::State, routing::post};
use serde_json::Value;
use tokio::{net::TcpListener, process::Command};

use super::*;

/// Acts by their keys.
pub struct Ledger {
    path: PathBuf,
    file: Mutex<File>,
}

/// What became of the acts.
#[derive(Debug, Default)]
pub struct Verdict {
    pub acknowledged: usize,
    pub lost: Vec<String>,
    pub doubled: Vec<String>,
    pub unacknowledged: usize,
}

impl Verdict {
    pub fn is_clean(&self) -> bool {
        self.lost.is_empty() && self.doubled.is_empty()
    }
}

/// How often what each key did is there.
pub type Found = HashMap<String, usize>;

impl Ledger {
    pub fn create() -> Result<Self> {
        let path = env::temp_dir().join(format!("praxis-ledger-{}", std::process::id()));
        Ok(Self { file: Mutex::new(File::create(&path)?), path })
    }

    pub fn sent(&self, key: &str) -> Result<()> {
        self.write(key, "sent")
    }

    pub fn acknowledged(&self, key: &str) -> Result<()> {
        self.write(key, "ack")
    }

    fn write(&self, key: &str, what: &str) -> Result<()> {
        let mut file = self.file.lock().unwrap();
        writeln!(file, "{}", json!({ "k": key, "s": what }))?;
        Ok(file.sync_data()?)
    }

    /// Whether each act was acknowledged.
    fn acts(&self) -> BTreeMap<String, bool> {
        let mut acts = BTreeMap::new();
        for line in std::fs::read_to_string(&self.path).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            *acts.entry(line["k"].as_str().unwrap().to_owned()).or_default() |= line["s"] == "ack";
        }
        acts
    }

    pub fn judge(&self, found: &Found) -> Verdict {
        let mut verdict = Verdict::default();
        for (key, acknowledged) in self.acts() {
            let times = found.get(&key).copied().unwrap_or(0);
            if !acknowledged {
                verdict.unacknowledged += 1;
            } else {
                verdict.acknowledged += 1;
                if times == 0 {
                    verdict.lost.push(key.clone());
                }
            }
            if times > 1 {
                verdict.doubled.push(key);
            }
        }
        verdict
    }

    /// The same, judged by the ledger of `kits/chaos`, which asks for one key after the other.
    pub async fn judged_by_the_kit(&self, found: &Found) -> Result<()> {
        let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/kits");
        let kits = env::var_os("PRAXIS_KITS").map_or(beside, PathBuf::from);
        let script = kits.join("chaos/ledger.py");
        if !script.exists() {
            eprintln!("\n!!! NOT JUDGED BY THE KIT: no chaos kit in {}; set PRAXIS_KITS\n", kits.display());
            return Ok(());
        }
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/found", listener.local_addr()?);
        let answers = Router::new().route("/found", post(answer)).with_state(Arc::new(found.clone()));
        let serving = tokio::spawn(async move { axum::serve(listener, answers).await });
        let judged = Command::new("python3")
            .arg(script)
            .args(["verify", &url])
            .arg(&self.path)
            .args(["--query", "query($key: String!) { found(key: $key) { title } }"])
            .output()
            .await?;
        serving.abort();
        let told = String::from_utf8_lossy(&judged.stdout);
        assert!(judged.status.success(), "{told}{}", String::from_utf8_lossy(&judged.stderr));
        eprintln!("the kit: {told}");
        Ok(())
    }
}

/// What was found, in the kit's words: as many rows as there are.
async fn answer(State(found): State<Arc<Found>>, Json(asked): Json<Value>) -> Json<Value> {
    let key = asked["variables"]["key"].as_str().unwrap();
    let rows = vec![json!({ "title": key }); found.get(key).copied().unwrap_or(0)];
    Json(json!({ "data": { "found": rows } }))
}

impl Drop for Ledger {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
