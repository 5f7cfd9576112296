"""The uv on this machine: executable, process, environment, receipt, configuration."""

__all__ = (
    "adoption",
    "arguments",
    "configuration",
    "environment",
    "executable",
    "install_source",
    "leftovers",
    "package_managers",
    "process",
    "receipt",
    "required_version",
    "shadow",
    "uvx",
    "without_required_version",
)
