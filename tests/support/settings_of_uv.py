"""Every setting of uv, and whether it counts for us; written to a page by COMMAND.

The values are such that uv itself would be broken or altered by them wherever that is possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = "PYTHONPATH=tests python -m support.settings_of_uv"
PAGE = Path(__file__).parents[2] / "docs" / "uv-settings.md"

WHERE = "where the index is"
REACH = "how to reach it"
CREDENTIALS = "which credentials it takes"
POLICY = "which versions may be taken: a policy of the user"
CACHE = "where answers of the index are kept; the wheel goes into a cache of our own"
SUPPLIED = "an argument of ours decides"
ONE = "we ask for one package, by its name, without what it depends on"
BUILDS = "nothing is built: only wheels are taken"
OUTPUT = "what is written where is ours to say"
PYTHON = "the Python is named by its path, and none is fetched"
PROJECTS = "about projects, which do not decide where uv comes from"
OTHERS = "about other commands"
INTERNAL = "for uv's own tests and developers"
SPEED = "how much is done at a time; we fetch one file"
DISPLAY = "what is shown; we read it"
DIGESTS = "digests are compared by our rules"
WHEELS = "which wheel fits is uv's own decision, for the machine that it runs on"
NEITHER = "says neither where the index is nor how to reach it"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One key of uv.toml, one variable, or one preview."""

    name: str
    """`KEY`, `pip.KEY`, `index.KEY`, `preview NAME`, or a variable."""

    decision: str
    """`counts`, `counts in part` or `left out`."""

    reason: str
    value: str = ""
    """Of a key, in TOML; `{home}` is the user's. Empty where uv would refuse it in a uv.toml."""

    @property
    def counts(self) -> bool:
        """Whether uv is told of it as it is."""
        return self.decision == "counts"


def _some(decision: str, reason: str, names: str, prefix: str = "") -> Iterator[Setting]:
    """Yield settings for lines of names, each perhaps with a value behind ` = `."""
    for line in names.strip().splitlines():
        name, _, value = line.strip().partition(" = ")
        yield Setting(name=prefix + name, decision=decision, reason=reason, value=value)


_COUNTS, _LEFT = "counts", "left out"

_BOTH: tuple[tuple[str, str, str], ...] = (
    (_COUNTS, WHERE, "extra-index-url\nfind-links\nindex-strategy\nindex-url\nno-index"),
    (_COUNTS, CREDENTIALS, "keyring-provider"),
    (_COUNTS, POLICY, "exclude-newer\nexclude-newer-package"),
    (
        _LEFT,
        SUPPLIED,
        """
        prerelease = "allow"
        resolution = "lowest"
        """,
    ),
    (
        _LEFT,
        ONE,
        """
        dependency-metadata = [{ name = "uv", requires-dist = ["no-such-package"] }]
        fork-strategy = "fewest"
        reinstall = true
        reinstall-package = ["uv"]
        upgrade = true
        upgrade-package = ["uv"]
        """,
    ),
    (
        _LEFT,
        BUILDS,
        """
        config-settings = { a = "b" }
        config-settings-package = { uv = { a = "b" } }
        extra-build-dependencies = { uv = ["no-such-package"] }
        extra-build-variables = { uv = { A = "b" } }
        no-binary = NO_BINARY
        no-build = true
        no-build-isolation = true
        no-build-isolation-package = ["uv"]
        require-build-hashes = true
        """,
    ),
    (
        _LEFT,
        OUTPUT,
        """
        compile-bytecode = true
        link-mode = "symlink"
        """,
    ),
    (_LEFT, PROJECTS, 'no-sources = true\nno-sources-package = ["uv"]'),
    (_LEFT, WHEELS, 'torch-backend = "cpu"'),
)


def _everywhere() -> Iterator[Setting]:
    for decision, reason, names in _BOTH:
        yield from _some(decision, reason, names.replace("NO_BINARY", "true"))
        yield from _some(decision, reason, names.replace("NO_BINARY", '["uv"]'), "pip.")


SETTINGS: tuple[Setting, ...] = (
    *_everywhere(),
    *_some(_COUNTS, WHERE, "index"),
    *_some(
        _COUNTS,
        REACH,
        "allow-insecure-host\nhttp-proxy\nhttps-proxy\nnative-tls\nno-proxy\noffline\nsystem-certs",
    ),
    *_some(_COUNTS, CACHE, "cache-dir\nno-cache"),
    *_some(
        "counts in part",
        "previews that say how to reach an index, see below",
        'preview = true\npreview-features = ["malware-check", "wheel-variants"]',
    ),
    *_some(_LEFT, "the uv that is to be updated may be just another", 'required-version = ">=999"'),
    *_some(
        _LEFT,
        SUPPLIED,
        """
        no-binary-package = ["uv"]
        no-build-package = ["uv"]
        prerelease-package = { uv = "allow" }
        """,
    ),
    *_some(
        _LEFT,
        ONE,
        """
        build-constraint-dependencies = ["uv==0.9.9"]
        constraint-dependencies = ["uv==0.9.9"]
        exclude-dependencies = ["uv"]
        override-dependencies = ["uv==0.9.9"]
        """,
    ),
    *_some(_LEFT, WHEELS, "minimum-libc-version"),
    *_some(
        _LEFT,
        PYTHON,
        """
        graalpy-install-mirror = "http://127.0.0.1:9/"
        pypy-install-mirror = "http://127.0.0.1:9/"
        pyodide-install-mirror = "http://127.0.0.1:9/"
        python-downloads = "automatic"
        python-downloads-json-url = "http://127.0.0.1:9/"
        python-install-mirror = "http://127.0.0.1:9/"
        python-preference = "only-managed"
        """,
    ),
    *_some(
        _LEFT,
        SPEED,
        """
        concurrent-builds = 1
        concurrent-downloads = 1
        concurrent-installs = 1
        """,
    ),
    *_some(
        _LEFT,
        OTHERS,
        """
        add-bounds = "exact"
        audit
        check-url = "http://127.0.0.1:9/"
        publish-url = "http://127.0.0.1:9/"
        trusted-publishing = "always"
        """,
    ),
    *_some(
        _LEFT,
        PROJECTS,
        """
        build-backend
        cache-keys = [{ file = "x" }]
        conflicts
        environments
        required-environments
        default-groups
        dependency-groups
        dev-dependencies
        managed
        package
        sources
        workspace
        """,
    ),
    *_some(
        _LEFT,
        PYTHON,
        """
        break-system-packages = true
        python = "3.99"
        python-platform = "windows"
        python-version = "3.99"
        system = true
        universal = true
        """,
        "pip.",
    ),
    *_some(
        _LEFT,
        ONE,
        """
        all-extras = true
        allow-empty-requirements = true
        extra = ["a"]
        group = ["a"]
        no-deps = false
        no-extra = ["a"]
        strict = true
        """,
        "pip.",
    ),
    *_some(_LEFT, SUPPLIED, 'only-binary = ["other"]', "pip."),
    *_some(
        _LEFT,
        OUTPUT,
        """
        output-file = "{home}/written.txt"
        prefix = "{home}/prefix"
        target = "{home}/target"
        """,
        "pip.",
    ),
    *_some(
        _LEFT,
        DISPLAY,
        """
        annotation-style = "line"
        custom-compile-command = "no such command"
        emit-build-options = true
        emit-find-links = true
        emit-index-annotation = true
        emit-index-url = true
        emit-marker-expression = true
        no-annotate = false
        no-emit-package = ["uv"]
        no-header = false
        no-strip-extras = true
        no-strip-markers = true
        """,
        "pip.",
    ),
    *_some(
        _LEFT,
        DIGESTS,
        """
        generate-hashes = true
        require-hashes = true
        verify-hashes = false
        """,
        "pip.",
    ),
    *_some(_COUNTS, WHERE, "default\nexplicit\nformat\nname\nurl", "index."),
    *_some(_COUNTS, REACH, "cache-control\nignore-error-codes", "index."),
    *_some(_COUNTS, CREDENTIALS, "authenticate", "index."),
    *_some(_COUNTS, POLICY, "exclude-newer\nexclude-newer-package", "index."),
    *_some(_LEFT, DIGESTS, "hash-algorithm", "index."),
    *_some(_LEFT, OTHERS, "publish-url", "index."),
    *_some(
        _COUNTS, REACH, "azure-endpoint\ngcs-endpoint\nhttp2-keep-alive\ns3-endpoint", "preview "
    ),
    *_some(_COUNTS, CREDENTIALS, "native-auth", "preview "),
    *_some(_COUNTS, POLICY, "index-exclude-newer", "preview "),
    *_some(
        _LEFT,
        NEITHER,
        """
        add-bounds
        adjust-ulimit
        artifact-hash-filtering
        audit-command
        auth-helper
        batch-export
        build-dependency-check
        build-dependency-hashes
        build-lazy-imports
        cache-physical-space
        cache-size
        centralized-project-envs
        check-command
        content-addressed-cache
        detect-module-conflicts
        extra-build-dependencies
        format-command
        frozen-lockfile
        index-by-name
        index-hash-algorithm
        init-project-flag
        json-output
        lock-without-metadata
        lockfile-format-check
        lockfile-normalization
        malware-check
        metadata-json
        minimum-libc-version
        missing-exclude-newer-package-lock
        package-conflicts
        packaged-init
        project-directory-must-exist
        publish-require-normalized
        pylock
        python-install-default
        relocatable-envs-default
        resolution-inputs
        sbom-export
        special-conda-env-names
        target-workspace-discovery
        toml-backwards-compatibility
        tool-install-locks
        venv-redirect-files
        venv-safe-clear
        wheel-variants
        workspace-dir
        workspace-list
        workspace-list-scripts
        workspace-metadata
        """,
        "preview ",
    ),
    *_some(
        _COUNTS,
        WHERE,
        """
        UV_DEFAULT_INDEX
        UV_EXTRA_INDEX_URL
        UV_FIND_LINKS
        UV_INDEX
        UV_INDEX_STRATEGY
        UV_INDEX_URL
        """,
    ),
    *_some(
        _COUNTS,
        REACH,
        """
        UV_AZURE_ENDPOINT_URL
        UV_GCS_ENDPOINT_URL
        UV_HTTP_CONNECT_TIMEOUT
        UV_HTTP_RETRIES
        UV_HTTP_TIMEOUT
        UV_INSECURE_HOST
        UV_NATIVE_TLS
        UV_OFFLINE
        UV_REQUEST_TIMEOUT
        UV_S3_ENDPOINT_URL
        UV_SYSTEM_CERTS
        """,
    ),
    *_some(
        _COUNTS,
        CREDENTIALS,
        """
        UV_API_KEY
        UV_AUTH_TOKEN
        UV_CREDENTIALS_DIR
        UV_INDEX_NAME_PASSWORD
        UV_INDEX_NAME_USERNAME
        UV_KEYRING_PROVIDER
        """,
    ),
    *_some(_COUNTS, POLICY, "UV_EXCLUDE_NEWER"),
    *_some(_COUNTS, CACHE, "UV_CACHE_DIR\nUV_NO_CACHE"),
    *_some(_COUNTS, "which files are read", "UV_CONFIG_FILE\nUV_NO_CONFIG\nUV_NO_SYSTEM_CONFIG"),
    *_some(
        "counts in part",
        "previews that say how to reach an index, see above",
        "UV_PREVIEW = 1\nUV_PREVIEW_FEATURES = malware-check,wheel-variants",
    ),
    *_some(
        _LEFT,
        ONE,
        """
        UV_BUILD_CONSTRAINT = {home}/constraints.txt
        UV_CONSTRAINT = {home}/constraints.txt
        UV_EXCLUDE = {home}/constraints.txt
        UV_FORK_STRATEGY = fewest
        UV_OVERRIDE = {home}/constraints.txt
        """,
    ),
    *_some(
        _LEFT,
        SUPPLIED,
        """
        UV_NO_BINARY = 1
        UV_NO_BINARY_PACKAGE = uv
        UV_NO_BUILD = 1
        UV_NO_BUILD_PACKAGE = uv
        UV_PRERELEASE = allow
        UV_RESOLUTION = lowest
        """,
    ),
    *_some(
        _LEFT,
        BUILDS,
        """
        UV_HIDE_BUILD_OUTPUT = 1
        UV_NO_BUILD_ISOLATION = 1
        UV_REQUIRE_BUILD_HASHES = 1
        """,
    ),
    *_some(
        _LEFT,
        DIGESTS,
        """
        UV_NO_VERIFY_HASHES = 1
        UV_REQUIRE_HASHES = 1
        UV_VERIFY_HASHES = 0
        """,
    ),
    *_some(
        _LEFT,
        OUTPUT,
        """
        UV_COMPILE_BYTECODE = 1
        UV_COMPILE_BYTECODE_TIMEOUT = 1
        UV_LINK_MODE = symlink
        UV_NO_INSTALLER_METADATA = 1
        """,
    ),
    *_some(
        _LEFT,
        PYTHON,
        """
        UV_BREAK_SYSTEM_PACKAGES = 1
        UV_GRAALPY_INSTALL_MIRROR = http://127.0.0.1:9/
        UV_LIBC = musl
        UV_MANAGED_PYTHON = 1
        UV_NO_MANAGED_PYTHON = 1
        UV_PYODIDE_INSTALL_MIRROR = http://127.0.0.1:9/
        UV_PYPY_INSTALL_MIRROR = http://127.0.0.1:9/
        UV_PYTHON = 3.99
        UV_PYTHON_BIN_DIR = {home}/pythons
        UV_PYTHON_CACHE_DIR = {home}/pythons
        UV_PYTHON_CPYTHON_BUILD = 1
        UV_PYTHON_DOWNLOADS = automatic
        UV_PYTHON_DOWNLOADS_JSON_URL = http://127.0.0.1:9/
        UV_PYTHON_GRAALPY_BUILD = 1
        UV_PYTHON_INSTALL_BIN = 1
        UV_PYTHON_INSTALL_DIR = {home}/pythons
        UV_PYTHON_INSTALL_MIRROR = http://127.0.0.1:9/
        UV_PYTHON_INSTALL_REGISTRY = 1
        UV_PYTHON_NO_REGISTRY = 1
        UV_PYTHON_PREFERENCE = only-managed
        UV_PYTHON_PYODIDE_BUILD = 1
        UV_PYTHON_PYPY_BUILD = 1
        UV_PYTHON_SEARCH_PATH = /nonexistent
        UV_SYSTEM_PYTHON = 1
        """,
    ),
    *_some(
        _LEFT,
        SPEED,
        """
        UV_CONCURRENT_BUILDS = 1
        UV_CONCURRENT_CACHE_READS = 1
        UV_CONCURRENT_DOWNLOADS = 1
        UV_CONCURRENT_INSTALLS = 1
        """,
    ),
    *_some(
        _LEFT,
        DISPLAY,
        """
        UV_CUSTOM_COMPILE_COMMAND = no such command
        UV_LOG_CONTEXT = 1
        UV_NO_PROGRESS = 1
        UV_NO_WRAP = 1
        UV_SHOW_RESOLUTION = 1
        """,
    ),
    *_some(
        _LEFT,
        WHEELS,
        """
        UV_AMD_GPU_ARCHITECTURE = gfx900
        UV_CUDA_DRIVER_VERSION = 1
        UV_TORCH_BACKEND = cpu
        """,
    ),
    *_some(
        _LEFT,
        PROJECTS,
        """
        UV_DEV = 1
        UV_FROZEN = 1
        UV_ISOLATED = 1
        UV_LOCKED = 1
        UV_NO_DEFAULT_GROUPS = 1
        UV_NO_DEV = 1
        UV_NO_EDITABLE = 1
        UV_NO_GROUP = a
        UV_NO_INSTALL_LOCAL = 1
        UV_NO_INSTALL_PROJECT = 1
        UV_NO_INSTALL_WORKSPACE = 1
        UV_NO_PROJECT = 1
        UV_NO_SOURCES = 1
        UV_NO_SOURCES_PACKAGE = uv
        UV_NO_SYNC = 1
        UV_ONLY_INSTALL_LOCAL = 1
        UV_ONLY_INSTALL_PROJECT = 1
        UV_ONLY_INSTALL_WORKSPACE = 1
        UV_PROJECT = {home}/project
        UV_PROJECT_ENVIRONMENT = {home}/project
        UV_WORKING_DIR = {home}/project
        UV_WORKING_DIRECTORY = {home}/project
        """,
    ),
    *_some(
        _LEFT,
        OTHERS,
        """
        UV_ENV_FILE = {home}/.env
        UV_GITHUB_FAST_PATH_URL = http://127.0.0.1:9/
        UV_GITHUB_TOKEN = t
        UV_GIT_LFS = 1
        UV_INIT_BARE = 1
        UV_INIT_BUILD_BACKEND = uv
        UV_NO_ENV_FILE = 1
        UV_NO_GITHUB_FAST_PATH = 1
        UV_NO_HF_TOKEN = 1
        UV_PUBLISH_CHECK_URL = http://127.0.0.1:9/
        UV_PUBLISH_INDEX = a
        UV_PUBLISH_NO_ATTESTATIONS = 1
        UV_PUBLISH_PASSWORD = p
        UV_PUBLISH_TOKEN = t
        UV_PUBLISH_URL = http://127.0.0.1:9/
        UV_PUBLISH_USERNAME = u
        UV_RUN_MAX_RECURSION_DEPTH = 1
        UV_RUN_RECURSION_DEPTH = 1
        UV_RUN_RLIMIT_NOFILE = 1
        UV_TOOL_BIN_DIR = {home}/tools
        UV_TOOL_DIR = {home}/tools
        UV_UPLOAD_HTTP_TIMEOUT = 1
        UV_VENV_CLEAR = 1
        UV_VENV_RELOCATABLE = 1
        UV_VENV_SEED = 1
        """,
    ),
    *_some(
        _LEFT,
        "where uv itself comes from is decided by our configuration",
        """
        UV_ASTRAL_MIRROR_URL = http://127.0.0.1:9/
        UV_DOWNLOAD_URL = http://127.0.0.1:9/
        UV_INSTALLER_GHE_BASE_URL = http://127.0.0.1:9/
        UV_INSTALLER_GITHUB_BASE_URL = http://127.0.0.1:9/
        UV_INSTALL_DIR = {home}/elsewhere
        """,
    ),
    *_some(
        _LEFT,
        "another server would be asked than those that are configured here",
        "UV_MALWARE_CHECK = 1\nUV_MALWARE_CHECK_URL = http://127.0.0.1:9/",
    ),
    *_some(
        _LEFT,
        NEITHER,
        """
        UV_INSECURE_NO_ZIP_VALIDATION = 1
        UV_LEGACY_TAR_BACKEND = 1
        UV_LOCK_TIMEOUT = 0
        UV_REQUIRE_METADATA_RANGE_REQUESTS = 1
        UV_SKIP_WHEEL_FILENAME_CHECK = 1
        UV_STACK_SIZE = 1
        """,
    ),
    *_some(
        _LEFT,
        INTERNAL,
        """
        UV_INTERNAL__BUILD_DIR = {home}/internal
        UV_INTERNAL__PARENT_INTERPRETER = /nonexistent
        UV_INTERNAL__SHOW_DERIVATION_TREE = 1
        UV_INTERNAL__TEST_AVAILABLE_VERSION_CUTOFF = 2000-01-01T00:00:00Z
        UV_INTERNAL__TEST_CURRENT_TIMESTAMP = 2000-01-01T00:00:00Z
        UV_INTERNAL__TEST_LFS_DISABLED = 1
        UV_INTERNAL__TEST_NO_CLI_PROGRESS = 1
        UV_INTERNAL__TEST_NO_HTTP_RETRY_DELAY = 1
        UV_INTERNAL__TEST_PYTHON_MANAGED = 1
        UV_TEST_NO_CLI_PROGRESS = 1
        UV_TEST_NO_HTTP_RETRY_DELAY = 1
        UV_TEST_PYTHON_PATH = /nonexistent
        """,
    ),
)


def keys(table: str = "") -> dict[str, Setting]:
    """Return the settings of a table of uv.toml, or of none, by their keys."""
    prefix = f"{table}." if table else ""
    return {
        one.name.removeprefix(prefix): one
        for one in SETTINGS
        if one.name.startswith(prefix)
        and "." not in one.name.removeprefix(prefix)
        and not one.name.startswith(("UV_", "preview "))
    }


def variables() -> dict[str, Setting]:
    """Return the variables."""
    return {one.name: one for one in SETTINGS if one.name.startswith("UV_")}


def features() -> dict[str, Setting]:
    """Return the previews."""
    return {
        one.name.removeprefix("preview "): one
        for one in SETTINGS
        if one.name.startswith("preview ")
    }


_BEGIN = f"<!-- the tables are made of the tests, by `{COMMAND}` -->"


def renewed(page: str) -> str:
    """Return the page with the tables that the settings make, at its end."""
    before, begin, _ = page.partition(f"{_BEGIN}\n")
    if not begin:
        message = f"there is no `{_BEGIN}`"
        raise ValueError(message)
    groups = {
        "`uv.toml`": keys(),
        "`[pip]`": keys("pip"),
        "`[[index]]`": keys("index"),
        "Previews": features(),
        "Variables": variables(),
    }
    return f"{before}{begin}" + "".join(
        f"\n## {heading}\n\n{_table(settings)}" for heading, settings in groups.items()
    )


def _table(settings: dict[str, Setting]) -> str:
    lines = ["| setting | decision | because it is about |", "| --- | --- | --- |"]
    for name, one in sorted(settings.items(), key=lambda item: (not item[1].counts, item[0])):
        lines.append(f"| `{name}` | {one.decision} | {one.reason} |")
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
