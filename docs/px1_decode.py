"""Reads PX1 ciphertext without any code of Praxis; see px1.md.

    python3 -m venv venv && venv/bin/pip install cryptography
    venv/bin/python px1_decode.py px1-vectors.json

The file holds the root key, one wrapped tenant key, one wrapped data key and
the rows to read, all as in px1-vectors.json; the bytes are in hexadecimal.
Each value is printed as JSON. If the file says what a value should be
("json") or names values that must not open ("refused"), that is checked.
"""

import hmac
import json
import sys
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derive(secret: bytes, label: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=label).derive(secret)


def padded(body: int) -> int:
    length = body + 4
    step = max(32, (1 << (length.bit_length() - 1)) // 4)
    return -(-length // step) * step


def open_px1(key: bytes, context: list[bytes], sealed: bytes) -> bytes:
    header, nonce, rest = sealed[:8], sealed[8:20], sealed[20:]
    if header[:4] != b"PX1\x01":
        raise ValueError("not PX1 with suite 1")
    fields = (len(field).to_bytes(8, "big") + field for field in context)
    text = AESGCM(key).decrypt(nonce, rest, header + b"".join(fields))
    body = int.from_bytes(text[-4:], "big")
    if padded(body) != len(text) or any(text[body:-4]):
        raise ValueError("bad padding")
    return text[:body]


def data_key(file: dict) -> bytes:
    tenant, subject, stored = UUID(file["tenant"]).bytes, UUID(file["subject"]).bytes, file["data_key"]
    root = bytes.fromhex(file["root_key"])
    wrapped = bytes.fromhex(file["wrapped_tenant_key"])
    plain = open_px1(derive(root, b"praxis root wrap"), [b"tenant-key", tenant], wrapped)
    if int.from_bytes(plain[:4], "big") != file["tenant_key_version"]:
        raise ValueError("another version of the tenant key")
    commitment = bytes.fromhex(stored["commitment"])
    context = [b"data-key", tenant, subject, stored["version"].to_bytes(4, "big"), commitment]
    # Behind the material may stand what indexes, cursors and signatures derive from.
    material = open_px1(derive(plain[4:36], b"praxis tenant wrap"), context, bytes.fromhex(stored["wrapped"]))
    if not hmac.compare_digest(derive(material, b"praxis data commitment"), commitment):
        raise ValueError("not the key once committed to")
    return derive(material, b"praxis data value")


def main(path: str) -> None:
    with open(path, encoding="utf-8") as source:
        file = json.load(source)
    key, version = data_key(file), file["data_key"]["version"].to_bytes(4, "big")
    tenant, subject = UUID(file["tenant"]).bytes, UUID(file["subject"]).bytes

    def read(row: dict) -> str:
        sealed = bytes.fromhex(row["sealed"])
        if sealed[4:8] != version:
            raise ValueError("under another version of the data key")
        place = [row["table"].encode(), row["class"].encode(), UUID(row["row"]).bytes]
        return open_px1(key, [b"value", tenant, *place, subject], sealed).decode()

    for row in file["values"]:
        text = read(row)
        if row.get("json", text) != text:
            sys.exit(f"differs from the expected value: {text}")
        print(text)
    for row in file.get("refused", []):
        try:
            read(row)
        except (InvalidTag, ValueError):
            continue
        sys.exit(f"opened, but must not: {row['why']}")


if __name__ == "__main__":
    main(sys.argv[1])
