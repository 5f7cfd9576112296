"""An S3-compatible object store: moto."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx

from support.servers.running import HOST, free_port, running, script, work_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUCKET = "software"

_ANSWER = 30  # seconds for what a server does with a file
_PUBLIC = {"x-amz-acl": "public-read"}
_LABEL = {"Content-Encoding": "gzip"}


@contextmanager
def moto(
    folder: Path, *, public: bool = True, gzip_label: bool = False, page: int = 1000
) -> Iterator[str]:
    """Run moto with a bucket that holds what a folder holds.

    Args:
        folder: Each file below it becomes an object, whose key is its path from here.
        public: Whether everybody may read them.
        gzip_label: Whether `.gz` files are kept as encoded, as some uploading programs do.
        page: How many names a page of a listing has, unless it is asked for fewer.

    Yields:
        The bucket's URL, without a slash at its end.
    """
    server = script("moto_server")
    with free_port() as port, work_folder() as work:
        command = (server, "--host", HOST, "--port", str(port))
        environ = {"MOTO_S3_DEFAULT_MAX_KEYS": str(page)}
        with running(*command, port=port, work=work, environ=environ):
            url = f"http://{HOST}:{port}/{BUCKET}"
            acl = _PUBLIC if public else {}
            with httpx.Client(trust_env=False, timeout=_ANSWER, headers=acl) as client:
                client.put(url).raise_for_status()
                for path in sorted(folder.rglob("*")):
                    if path.is_file():
                        key = quote(path.relative_to(folder).as_posix())
                        label = _LABEL if gzip_label and path.suffix == ".gz" else {}
                        content = path.read_bytes()
                        client.put(
                            f"{url}/{key}", content=content, headers=label
                        ).raise_for_status()
            yield url


def with_access_key(url: str) -> dict[str, str]:
    """Let a running moto verify every signature from now on, and return the variables of a user."""
    base = url.rpartition("/")[0]
    service = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request, Signature=x"
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*"}]}
    everything["Statement"][0]["Action"] = "s3:*"  # type: ignore[index]
    with httpx.Client(trust_env=False, timeout=_ANSWER) as client:

        def call(action: str, **more: str) -> str:
            data = {"Version": "2010-05-08", "UserName": "reader", "Action": action, **more}
            answer = client.post(f"{base}/", data=data, headers={"Authorization": service})
            return answer.raise_for_status().text

        call("CreateUser")
        call("PutUserPolicy", PolicyName="all", PolicyDocument=json.dumps(everything))
        key = call("CreateAccessKey")
        client.post(f"{base}/moto-api/reset-auth", content=b"0").raise_for_status()
    return {
        "UV_S3_ENDPOINT_URL": base,
        "AWS_ACCESS_KEY_ID": key.partition("<AccessKeyId>")[2].partition("<")[0],
        "AWS_SECRET_ACCESS_KEY": key.partition("<SecretAccessKey>")[2].partition("<")[0],
    }
