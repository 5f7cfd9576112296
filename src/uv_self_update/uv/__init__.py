"""The uv on this machine: executable, process, environment, receipt, configuration."""

__all__ = (
    "adoption",
    "arguments",
    "child",
    "command",
    "configuration",
    "environment",
    "executable",
    "install_source",
    "leftovers",
    "lock",
    "package_managers",
    "process",
    "proxies",
    "receipt",
    "required_version",
    "shadow",
    "system_file",
    "uvx",
    "without_required_version",
)
