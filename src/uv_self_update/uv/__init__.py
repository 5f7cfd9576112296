"""The uv on this machine: executable, process, environment, receipt, configuration."""
