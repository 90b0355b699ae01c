"""The body of a request to S3: without the chunks it came in, and whether it is the one its checksum was made of.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
"""

import base64
import hashlib
import io
import zlib

from .s3_errors import Refused

# CRC32C and CRC64NVME, which Python lacks, are taken at their word.
MADE = {
    "CRC32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "SHA1": lambda body: hashlib.sha1(body).digest(),
    "SHA256": lambda body: hashlib.sha256(body).digest(),
}
ALGORITHMS = (*MADE, "CRC32C", "CRC64NVME")


def unwrapped(environ: dict, body: bytes) -> bytes:
    """The plain body; `environ` then describes a request that was sent with it, and its trailers as headers.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
    """
    if environ.get("HTTP_X_AMZ_CONTENT_SHA256", "").startswith("STREAMING-"):
        stream, plain = io.BytesIO(body), b""
        while size := int(stream.readline().split(b";")[0], 16):
            plain += stream.read(size)
            stream.readline()
        for line in stream:
            name, _, value = line.decode().strip().partition(":")
            if name:
                environ["HTTP_" + name.upper().replace("-", "_")] = value.strip()
        encodings = [e.strip() for e in environ.pop("HTTP_CONTENT_ENCODING", "").split(",")]
        if kept := [e for e in encodings if e not in ("", "aws-chunked")]:
            environ["HTTP_CONTENT_ENCODING"] = ",".join(kept)
        environ["HTTP_X_AMZ_CONTENT_SHA256"] = "UNSIGNED-PAYLOAD"
        environ["CONTENT_LENGTH"] = str(len(plain))
        body = plain
    for algorithm in ALGORITHMS:  # the checksum itself says which it is; the header that names it is optional
        if checksum_header(algorithm) in environ:
            environ["HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM"] = algorithm
    return body


def checksum_header(algorithm: str) -> str:
    return f"HTTP_X_AMZ_CHECKSUM_{algorithm}"


def check(environ: dict, body: bytes) -> None:
    """Refuses a body that is not what its sender made the checksums of."""
    expected = int(environ.get("HTTP_X_AMZ_DECODED_CONTENT_LENGTH") or len(body))
    if len(body) != expected:
        raise Refused(
            "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header."
        )
    md5 = environ.get("HTTP_CONTENT_MD5")
    if md5 and md5 != in_base64(hashlib.md5(body).digest()):
        raise Refused("BadDigest", "The Content-MD5 you specified did not match what we received.")
    for algorithm, made in MADE.items():
        given = environ.get(checksum_header(algorithm))
        if given and given != in_base64(made(body)):
            raise Refused("BadDigest", f"The {algorithm} you specified did not match the calculated checksum.")


def in_base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
