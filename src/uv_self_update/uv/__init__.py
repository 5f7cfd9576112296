"""The uv on this machine: executable, process, environment, receipt, configuration.

An `Installation` is the uv to update. A run finds it once, and hands it to the rooms above.
"""

__all__ = (
    "adoption",
    "arguments",
    "command",
    "configuration",
    "environment",
    "executable",
    "install_source",
    "installation",
    "lock",
    "package_managers",
    "process",
    "proxies",
    "receipt",
    "required_version",
    "requirements",
    "settings",
    "system_file",
    "trust",
    "uvx",
    "workspace",
)
