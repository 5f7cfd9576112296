"""Which files of the suite the lane runs with Wine, and why it leaves out the others.

Windows runs all but what `support.systems` lists. `ci.yml` runs them on Windows itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("LEFT_OUT", "RUN")

_BOUND = "the lane is bounded, and it depends little on the system"
_CLOSE = "Wine 8.0 shows a reset connection as an orderly close"
_TRUST = "Wine 8.0 has no engine for certificate chains, which truststore uses"
_INDEX = "it expects that no package index is configured, and the lane has its own"
_SHUT = "Wine 8.0 wakes no thread that reads from a socket as another shuts it down"
_TIME = "it takes more than twenty seconds with Wine, and the lane is bounded"
_UV = "it runs the uv in `.cache/uv/`, which is Linux's"
_TREE = "it is about the files of the repository, which are the same everywhere"

RUN = (
    "test_archive.py",
    "test_archive_stream.py",
    "test_arguments.py",
    "test_cli_config.py",
    "test_cli_packages.py",
    "test_completion.py",
    "test_config.py",
    "test_config_edit.py",
    "test_connection_reuse.py",
    "test_credentials.py",
    "test_digests.py",
    "test_errors.py",
    "test_gateway_ahead.py",
    "test_gateway_authority.py",
    "test_gateway_routes.py",
    "test_held_files.py",
    "test_help.py",
    "test_json_array.py",
    "test_kept.py",
    "test_layout.py",
    "test_leftovers.py",
    "test_listing_page.py",
    "test_logins.py",
    "test_netrc_file.py",
    "test_notices.py",
    "test_owners.py",
    "test_pip_settings.py",
    "test_platforms.py",
    "test_policy_config.py",
    "test_policy_rules.py",
    "test_powershell.py",
    "test_progress.py",
    "test_proxies.py",
    "test_ranges.py",
    "test_receipt.py",
    "test_retries.py",
    "test_script_path.py",
    "test_script_policy.py",
    "test_scripts.py",
    "test_secret.py",
    "test_settings.py",
    "test_target.py",
    "test_transfer.py",
    "test_tree.py",
    "test_url.py",
    "test_uv_requirements.py",
    "test_uv_toml.py",
    "test_values.py",
    "test_waiting.py",
    "test_wire.py",
    "test_workplace.py",
    "test_workspace.py",
)
"""The files that the lane runs."""

LEFT_OUT: Mapping[str, str] = {
    "test_aws.py": _BOUND,
    "test_binaries.py": _BOUND,
    "test_bucket_page.py": _BOUND,
    "test_catalog.py": _BOUND,
    "test_cli_config.py::test_set_min_age": _INDEX,
    "test_clues.py": _BOUND,
    "test_contract.py": _TIME,
    "test_detection.py": _TIME,
    "test_distrust.py": _TRUST,
    "test_docs.py": _TREE,
    "test_encoding.py": _TIME,
    "test_english.py": _TREE,
    "test_exec_connection.py": _UV,
    "test_exec_connections.py": _BOUND,
    "test_exec_proxy.py": _SHUT,
    "test_exec_tunnels.py": _TRUST,
    "test_exec_urls_networks.py": _BOUND,
    "test_faults_at_random.py": _TIME,
    "test_fences.py": _TREE,
    "test_fleets.py": _TREE,
    "test_gateway_loopback.py": _TIME,
    "test_gateway_service.py": _CLOSE,
    "test_index_digests.py": _UV,
    "test_index_explanation.py": _UV,
    "test_index_prefetch.py": _UV,
    "test_index_servers.py": _UV,
    "test_lazy_commands.py": _BOUND,
    "test_local_versions.py": _UV,
    "test_mistyped.py": _BOUND,
    "test_mutants.py": _TREE,
    "test_netrc_file.py::test_understood_as_uv_does": _UV,
    "test_package_repositories.py": _BOUND,
    "test_packages_contract.py": _BOUND,
    "test_passing.py": _BOUND,
    "test_preconnect.py": _TRUST,
    "test_process_end.py": _BOUND,
    "test_progress_line.py": _BOUND,
    "test_readme.py": _TREE,
    "test_redirect_targets.py": _BOUND,
    "test_redirects_and_credentials.py": _UV,
    "test_release.py": _BOUND,
    "test_release_files.py": _BOUND,
    "test_request_headers.py": _UV,
    "test_simulator.py": _BOUND,
    "test_snapshots.py": _BOUND,
    "test_socks.py": _BOUND,
    "test_sources_astral.py": _BOUND,
    "test_sources_github.py": _BOUND,
    "test_sources_gitlab.py": _BOUND,
    "test_sources_order.py": _BOUND,
    "test_sources_repositories.py": _BOUND,
    "test_sources_s3.py": _BOUND,
    "test_sources_urls.py": _BOUND,
    "test_structure.py": _TREE,
    "test_survey.py": _BOUND,
    "test_systems.py": _TREE,
    "test_trust.py": _TRUST,
    "test_upstream.py": _TRUST,
    "test_upstream_answers.py": _TRUST,
    "test_uv_certificates.py": _UV,
    "test_uv_proxies.py": _BOUND,
    "test_uv_trust.py": _TRUST,
    "test_uvx.py": _UV,
    "test_windows_page.py": _TREE,
    "test_workflow.py": _TREE,
}
"""A file, or a test of a file that is run, and the reason."""
