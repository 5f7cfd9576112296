"""A page of the list of a bucket: what lies below a prefix, where the next page is, and errors.

What the pages in `samples/` come from is said there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uv_self_update.errors import UnexpectedBody
from uv_self_update.network.responses import Document
from uv_self_update.sources.formats.bucket import BucketPage, read_bucket
from uv_self_update.sources.formats.entry import Entry, is_name

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLES = Path(__file__).parent / "samples"
URL = "https://s3.example.com/uv"

FOLDERS = {"0.9.28", "v0.10.0", "we ird&name"}
FILES = {
    "%41",
    "100%",
    "<x>",
    "a+b",
    "a&copy1",
    "a;b?c#d",
    "co:lon",
    'it\'s "q"',
    "uv-x86_64-unknown-linux-gnu.tar.gz",
    "uv-x86_64-unknown-linux-gnu-with-a-name-that-is-cut.tar.gz.1",
    "ünï",
}
ENCODED = "<IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>"
NAMESPACES = [
    "",
    ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"',
    ' xmlns="http://doc.s3.amazonaws.com/2006-03-01"',
]


def read(body: str | bytes, *, prefix: str = "") -> BucketPage:
    """Read a page."""
    raw = body if isinstance(body, bytes) else body.encode()
    document = Document(url=URL, content_type="application/xml", body=raw, links={})
    return read_bucket(document, prefix=prefix)


def sample(name: str, *, prefix: str = "mirror/") -> BucketPage:
    """Read a page of a real server."""
    return read((SAMPLES / f"{name}.xml").read_bytes(), prefix=prefix)


def names(page: BucketPage) -> list[str]:
    """Return the names on a page, with a slash behind those of folders."""
    return [entry.name + "/" * bool(entry.is_directory) for entry in page.entries]


def s3(*keys: str, more: str = "", namespace: str = "") -> str:
    """Return S3's XML for keys, and for prefixes, which end in a slash."""
    listed = "".join(
        f"<CommonPrefixes><Prefix>{escape(key)}</Prefix></CommonPrefixes>"
        if key.endswith("/")
        else f"<Contents><Key>{escape(key)}</Key><Size>1</Size></Contents>"
        for key in keys
    )
    return f"<ListBucketResult{namespace}>{more}{listed}</ListBucketResult>"


def azure(*keys: str, more: str = "") -> str:
    """Return Azure's XML for keys, and for prefixes, which end in a slash."""
    listed = "".join(
        f"<BlobPrefix><Name>{escape(key)}</Name></BlobPrefix>"
        if key.endswith("/")
        else f"<Blob><Name>{escape(key)}</Name>"
        "<Properties><Content-Length>1</Content-Length></Properties></Blob>"
        for key in keys
    )
    return f"<EnumerationResults><Blobs>{listed}</Blobs>{more}</EnumerationResults>"


def refused(body: str | bytes) -> str:
    """Return how a document that is no list is described."""
    with pytest.raises(UnexpectedBody) as caught:
        read(body)
    before, _, kind = str(caught.value).partition(", got ")
    assert before == f"unexpected response from {URL}: expected a bucket listing"
    return kind


@pytest.mark.parametrize("name", ["moto-mirror", "moto-mirror-encoded", "azurite-mirror"])
def test_real_pages(name: str) -> None:
    """What a store lists below a prefix is read, however odd the names, with their times."""
    page = sample(name)

    assert {entry.name for entry in page.entries if entry.is_directory} == FOLDERS
    assert {entry.name for entry in page.entries if not entry.is_directory} == FILES
    assert len(page.entries) == len(FOLDERS | FILES)
    for entry in page.entries:
        assert (entry.modified or "").startswith("2026-11-24T03:4") is not entry.is_directory
        assert entry.sha256 is None
    assert (page.next, page.parameter) == (None, "")


@pytest.mark.parametrize("name", ["moto-empty", "azurite-empty"])
def test_real_empty_pages(name: str) -> None:
    """Below a prefix that nothing begins with there is nothing."""
    assert sample(name, prefix="empty/") == BucketPage(entries=(), next=None)


@pytest.mark.parametrize("name", ["moto-inner", "moto-flat", "azurite-inner", "azurite-flat"])
def test_real_pages_of_a_folder(name: str) -> None:
    """A list without delimiter, as some stores answer in any case, is read to the same folders.

    The folder's own place-holder is not in it.
    """
    page = sample(name, prefix="mirror/we ird&name/")

    assert sorted(names(page)) == ["inner/", "sha256.sum"]
    assert [entry.name for entry in page.entries if entry.modified is None] == ["inner"]


@pytest.mark.parametrize(
    ("name", "found", "following", "parameter"),
    [
        (
            "moto-first",
            ["%41", "0.9.28/"],
            "ea93b23bef59d12be9b9487f20398814",
            "continuation-token",
        ),
        (
            "moto-older-first",
            ["%41", "100%", "0.9.28/", "v0.10.0/", "we ird&name/"],
            "3721d3deb3bd1c1ca1755acdd2243b06",
            "marker",
        ),
        ("moto-older-flat-first", ["%41", "0.9.28/"], "54b40ffa58d02b1dff078be5f59f9928", "marker"),
        ("azurite-first", ["0.9.28/", "%41"], "mirror/0.9.28/b", "marker"),
    ],
)
def test_real_first_pages(name: str, found: list[str], following: str, parameter: str) -> None:
    """A page that is not the last says how to ask for the next."""
    page = sample(name)

    assert names(page) == found
    assert (page.next, page.parameter) == (following, parameter)


def test_documented_page_of_azure() -> None:
    """Azure marks folders of a hierarchy, and names that XML cannot hold."""
    page = sample("written-azure-mirror")

    assert {entry.name for entry in page.entries if entry.is_directory} == FOLDERS
    assert {(entry.name, entry.modified) for entry in page.entries if not entry.is_directory} == {
        (name, "2026-01-29T20:24:46Z") for name in {*FILES, "not in XML\uffff"}
    }
    assert page.next is None


def test_blob_without_a_name() -> None:
    """What has no name is left out."""
    assert names(read("<EnumerationResults><Blobs><Blob/><x/></Blobs></EnumerationResults>")) == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("moto-error", "the error `NoSuchBucket`"),
        ("moto-buckets", "a list of buckets"),
        ("azurite-error", "the error `AuthorizationFailure`"),
        ("azurite-containers", "a list of buckets"),
    ],
)
def test_real_errors(name: str, kind: str) -> None:
    """What is no list of files is said to be what it is, and an error by its code."""
    assert refused((SAMPLES / f"{name}.xml").read_bytes()) == kind


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_namespaces(namespace: str) -> None:
    """Stores that speak S3's language do not agree on its namespace."""
    more = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
    page = read(s3("a", "b/", more=more, namespace=namespace))

    assert (names(page), page.next) == (["a", "b/"], "t")
    assert refused(f"<Error{namespace}><Code>AccessDenied</Code></Error>") == (
        "the error `AccessDenied`"
    )


@pytest.mark.parametrize("write", [s3, azure])
@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", ["uv/", "uv", "a b/"]),
        ("uv/", ["0.9.28/", "0.9.28", "x"]),
        ("uv/0.9.28/", ["uv.zip", "inner/"]),
        ("a b/", [" c "]),
        ("other/", []),
    ],
)
def test_prefixes(write: Callable[..., str], prefix: str, expected: list[str]) -> None:
    """Keys are paths: what lies further down stands for the folder that it is in, once."""
    keys = [
        "uv/0.9.28/uv.zip",
        "uv/0.9.28/inner/a",
        "uv/0.9.28/inner/b",
        "uv/0.9.28",
        "uv/x",
        "uv/x",
        "uv/",
        "uv",
        "a b/ c ",
    ]
    assert names(read(write(*keys), prefix=prefix)) == expected


@pytest.mark.parametrize("write", [s3, azure])
@pytest.mark.parametrize("key", ["/a", "a//b", "a/../b", "a/./b", "a/", "a/b\\c", "a/\x85", "a/\n"])
def test_names_that_are_none(write: Callable[..., str], key: str) -> None:
    """A key that does not stay in its folder as a path is left out."""
    prefix = "" if key.startswith("/") else "a/"
    assert names(read(write(key, f"{prefix}x"), prefix=prefix)) == ["x"]


def test_encoding() -> None:
    """Keys are escaped only if the answer says so, and then a plus is a space."""
    keys = ("a+b%2Bc%25", "d%2Fe", "f+g/")
    more = "<EncodingType>url</EncodingType><Prefix></Prefix>"

    assert names(read(s3(*keys))) == ["a+b%2Bc%25", "d%2Fe", "f+g/"]
    assert names(read(s3(*keys, more=more))) == ["a b+c%", "d/", "f g/"]


@pytest.mark.parametrize(
    ("more", "following", "parameter"),
    [
        ("", None, ""),
        ("<IsTruncated>false</IsTruncated><NextMarker>m</NextMarker>", None, ""),
        ("<IsTruncated> True </IsTruncated><NextMarker>m</NextMarker>", "m", "marker"),
        (
            "<IsTruncated>true</IsTruncated><NextContinuationToken>1+/=</NextContinuationToken>",
            "1+/=",
            "continuation-token",
        ),
        # Only keys and markers are escaped, not tokens.
        (
            f"{ENCODED}<NextContinuationToken>%41+</NextContinuationToken>",
            "%41+",
            "continuation-token",
        ),
        (
            f"{ENCODED}<NextMarker>%41+</NextMarker>",
            "A ",
            "marker",
        ),
        # The last key; in S3's order, which is that of UTF-8.
        ("<IsTruncated>true</IsTruncated>", "\U0001f600", "marker"),
    ],
)
def test_next_page(more: str, following: str | None, parameter: str) -> None:
    """The next page is named by a token, a marker or, where there is neither, the last key."""
    page = read(s3("\U0001f600", "\uff5e", "a/", more=more))

    assert (page.next, page.parameter) == (following, parameter)


def test_no_way_on() -> None:
    """A list that goes on, and does not say where, is not taken for the whole."""
    more = "<IsTruncated>true</IsTruncated>"
    assert refused(s3(more=more)) == "a truncated one without a continuation token"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", "an empty file"),
        ("no", "something else"),
        ('{"items": []}', "JSON with other contents"),
        ("<!DOCTYPE html><p>Sign in", "a web page"),
        ("<html><body/></html>", "a web page"),
        ("<HTML xmlns='x'/>", "a web page"),
        ("<ListBucketResult>", "XML"),
        ("<ListBucketResult/><x/>", "XML"),
        ("<?xml version='1.0' encoding='no-such'?><ListBucketResult/>", "XML"),
        ("<?xml version='1.0' encoding='utf-7'?><ListBucketResult/>", "XML"),
        ("<?xml version='1.0' encoding='euc-jp'?><ListBucketResult/>", "XML"),
        (b"<ListBucketResult><Contents><Key>\xff</Key></Contents></ListBucketResult>", "XML"),
        ("<LocationConstraint/>", "XML of another kind"),
        ("<EnumerationResults/>", "a list of buckets"),
        ("<Error/>", "an error without a code"),
        ("<Error><Code> </Code></Error>", "an error without a code"),
        (f"<Error><Code>{'a' * 999}</Code></Error>", f"the error `{'a' * 64}`"),
        ("<Error><Code>a`\n\x1b[31m</Code></Error>", "XML"),
        ("<Error><Code>a`\n&#x9b;31m</Code></Error>", "the error `a`"),
    ],
)
def test_no_list(body: str | bytes, kind: str) -> None:
    """A document that is no list is said to be what it is."""
    assert refused(body) == kind


@pytest.mark.parametrize(
    "declaration",
    [
        '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">',
        '<!ENTITY b SYSTEM "file:///etc/passwd">',
        '<!ENTITY % c SYSTEM "http://127.0.0.1:9/"> %c;',
        "<!ELEMENT Key ANY>",
    ],
)
def test_entities(declaration: str) -> None:
    """A document that declares anything is refused before anything is made of it."""
    body = s3("x").replace("x", "&b;" if " b " in declaration else "x")
    assert refused(f"<!DOCTYPE ListBucketResult [{declaration}]>{body}") == "XML"


def test_deep() -> None:
    """A document that goes very deep does no harm."""
    depth = 100_000
    assert refused("<a>" * depth + "</a>" * depth) == "XML of another kind"
    assert read("<ListBucketResult>" + "<a>" * depth + "</a>" * depth + "</ListBucketResult>") == (
        BucketPage(entries=(), next=None)
    )


# What XML can hold; a carriage return would be read as a line feed.
SIGNS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
NAMES = st.text(SIGNS, min_size=1, max_size=20).filter(is_name)
LISTINGS = st.dictionaries(NAMES, st.booleans(), max_size=8)


@given(listing=LISTINGS, encode=st.sampled_from([quote, quote_plus]))
def test_there_and_back(listing: dict[str, bool], encode: Callable[[str], str]) -> None:
    """Whatever the names, they are read as they were listed with their sizes, by each store."""
    keys = [f"p q/{name}{'/' * folder}" for name, folder in listing.items()]
    expected = [
        Entry(name=name, is_directory=folder, size=None if folder else 1)
        for name, folder in listing.items()
    ]
    encoded = s3(*map(encode, keys), more="<EncodingType>url</EncodingType>")
    for body in (s3(*keys), encoded, azure(*keys)):
        assert list(read(body, prefix="p q/").entries) == expected


TAGS = st.sampled_from(
    [
        "ListBucketResult",
        "EnumerationResults",
        "Error",
        "Code",
        "Contents",
        "CommonPrefixes",
        "Prefix",
        "Key",
        "LastModified",
        "IsTruncated",
        "NextMarker",
        "NextContinuationToken",
        "EncodingType",
        "Blobs",
        "Blob",
        "BlobPrefix",
        "Name",
        "Properties",
        "ResourceType",
        "Last-Modified",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=5).map(escape),
    st.sampled_from(
        [
            "true",
            "url",
            "a/b",
            "a/../b",
            "%FF%2F",
            "&#0;",
            "&#xD800;",
            "&x;",
            "<!-- -->",
            "<![CDATA[",
        ]
    ),
)
TREES = st.recursive(
    TEXTS,
    lambda inner: st.builds(
        lambda tag, children: f"<{tag}>{''.join(children)}</{tag}>",
        TAGS,
        st.lists(inner, max_size=4),
    ),
    max_leaves=20,
)


@given(
    body=st.one_of(
        st.binary(max_size=200),
        st.builds(
            lambda root, children: f"<{root}>{''.join(children)}</{root}>".encode(
                errors="surrogatepass"
            ),
            TAGS,
            st.lists(TREES, max_size=5),
        ),
    ),
    prefix=st.sampled_from(["", "a/"]),
)
def test_anything(body: bytes, prefix: str) -> None:
    """Whatever is sent, what is read are names, or it is refused in one way."""
    try:
        page = read(body, prefix=prefix)
    except UnexpectedBody:
        return
    assert all(is_name(entry.name) for entry in page.entries)
    assert page.next is None or quote(page.next)
    assert (page.next is None) == (page.parameter == "")
