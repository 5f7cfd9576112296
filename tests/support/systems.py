"""Which tests need more than Python and a network of their own: on which systems, and why.

The one place where that is said: elsewhere these are not even imported, since what they import is
missing there, and the head of pytest's report names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What some tests need."""

    why: str
    systems: frozenset[str]
    """Where that is to be had, as `sys.platform` spells it."""


_LINUX = frozenset({"linux"})
_UNIX = _LINUX | {"darwin"}

_PROCESSES = Needs(why="/proc, and util-linux's setsid", systems=_LINUX)
_NETWORKS = Needs(why="namespaces, and strace", systems=_LINUX)
_SERVERS = Needs(why="servers of Debian's packages, bound to the tests by setpriv", systems=_LINUX)
_DIST = Needs(why="cargo-dist, as the package index has it, and namespaces", systems=_LINUX)
_XDG = Needs(why="folders as XDG names them", systems=_LINUX)
_OPEN = Needs(why="open files that can be replaced", systems=_UNIX)
_PROC = Needs(why="a file of /proc", systems=_LINUX)
_ARCHIVES = Needs(why="archives of uv for Unix", systems=_UNIX)
_SPELLING = Needs(why="paths, messages and ends of lines as Unix spells them", systems=_UNIX)
_PORTS = Needs(why="Linux's rules for who may share a port", systems=_LINUX)
_LOOPBACK = Needs(why="several addresses of loopback, and pipes that asyncio reads", systems=_LINUX)
_MOST = Needs(why="all that other systems lack, to take it away", systems=_LINUX)
_TERMINAL = Needs(why="a pseudo-terminal", systems=_UNIX)
_ESCAPES = Needs(why="a terminal that knows escape sequences", systems=_UNIX)
_HOME = Needs(why="a home with a real uv, laid out as on Unix", systems=_UNIX)
_SH = Needs(why="scripts that sh runs, in the place of programs", systems=_UNIX)
_MODES = Needs(why="modes, symbolic links or special files as on Unix", systems=_UNIX)
_OPENSSL = Needs(why="OpenSSL, which decides whom to trust on Linux alone", systems=_LINUX)
_EXFAT = Needs(why="FUSE, and a loop device", systems=_LINUX)
_LIMITS = Needs(why="limits of a process", systems=_UNIX)

TABLE: Mapping[str, Needs] = {
    "test_adoption.py": _HOME,
    "test_archive.py::test_link_to_write_through": _MODES,
    "test_archive.py::test_tar": _MODES,
    "test_archive_stream.py::test_nothing_may_be_run_before_the_end": _MODES,
    "test_authorities.py": _OPENSSL,
    "test_bad_input.py": _HOME,
    "test_benchmark_line.py": _LOOPBACK,
    "test_binaries.py::test_first_run_has_two_versions": _HOME,
    "test_changed_meanwhile.py": _PROCESSES,
    "test_check.py": _HOME,
    "test_child.py": _SH,
    "test_cli.py": _HOME,
    "test_cli_config.py::TestReleases::test_exposed_secret_is_warned_of": _MODES,
    "test_cli_config.py::test_broken_system_file": _MODES,
    "test_cli_config.py::test_mode_of_a_named_file": _MODES,
    "test_cli_config.py::test_set_into_a_file_that_others_read": _MODES,
    "test_cli_config.py::test_set_system": _MODES,
    "test_cli_config.py::test_set_system_makes_readable": _MODES,
    "test_cli_sources.py": _HOME,
    "test_config.py::test_site_file_follows_xdg": _XDG,
    "test_config.py::test_user_file_follows_xdg": _XDG,
    "test_config_edit.py::test_assign_keeps_mode_and_link": _MODES,
    "test_credentials_on_the_wire.py": _SH,
    "test_detection.py::test_in_use": _HOME,
    "test_detection.py::test_index_recognised_for_real": _SERVERS,
    "test_detection.py::test_recognised_for_real": _SERVERS,
    "test_dist_installers.py": _DIST,
    "test_doctor.py": _HOME,
    "test_end_to_end.py": _HOME,
    "test_environment.py": _HOME,
    "test_exec.py": _HOME,
    "test_exec_attacked.py": _PROCESSES,
    "test_exec_confusion.py": _HOME,
    "test_exec_connection.py::test_connection_before_uv_asks": _SH,
    "test_exec_kinds.py": _HOME,
    "test_exec_networks.py": _NETWORKS,
    "test_exec_servers.py": _SERVERS,
    "test_exec_terminal.py": _PROCESSES,
    "test_exec_urls.py": _HOME,
    "test_exec_versions.py": _HOME,
    "test_fetch.py": _HOME,
    "test_faults.py": _HOME,
    "test_fleets.py::test_line_of_cron": _SH,
    "test_fleets.py::test_units_of_systemd": _SERVERS,
    "test_gateway_address.py": _PORTS,
    "test_gateway_loopback.py::test_curl_notices": _SH,
    "test_gateway_loopback.py::test_too_few_files": _LIMITS,
    "test_gateway_service.py::test_failing_script_prints_its_reason": _SH,
    "test_gateway_service.py::test_installer_that_is_missing": _SH,
    "test_gateway_service.py::test_no_installer_in_its_place": _SH,
    "test_gateway_service.py::test_slow_script_is_run": _SH,
    "test_gateway_under_attack.py": _PROCESSES,
    "test_generated_installers.py": _DIST,
    "test_installation.py": _HOME,
    "test_isolation.py": _NETWORKS,
    "test_hostile_lists.py": _LIMITS,
    "test_kill_series.py": _PROCESSES,
    "test_killed.py": _PROCESSES,
    "test_killed_at_every_call.py": _PROCESSES,
    "test_layouts.py": _PROCESSES,
    "test_homes.py": _NETWORKS,
    "test_lazy_commands.py::test_command_is_started_before_the_client_is_imported": _SH,
    "test_lazy_commands.py::test_help_that_cannot_be_written": _MODES,
    "test_lazy_commands.py::test_line_about_us_imports_nothing_else": _SPELLING,
    "test_leftovers.py::test_looking_changes_nothing": _SH,
    "test_leftovers.py::test_restored": _SH,
    "test_leftovers.py::test_not_while_another_update_is_at_it": _SH,
    "test_leftovers.py::test_said": _SH,
    "test_leftovers.py::test_update_restores_first": _SH,
    "test_leftovers.py::test_what_cannot_be_restored_is_said": _SH,
    "test_login_programs.py": _SH,
    "test_mirror.py": _HOME,
    "test_mirror_servers.py": _SERVERS,
    "test_netrc_file.py::test_unreadable": _PROC,
    "test_owners.py::test_link_to_an_environment_of_pixi": _MODES,
    "test_owners.py::test_real_package_of_a_user": _HOME,
    "test_owners.py::test_real_tool": _HOME,
    "test_owners.py::test_real_virtual_environment": _HOME,
    "test_package_explanations.py": _XDG,
    "test_passphrase.py": _TERMINAL,
    "test_patience.py": _HOME,
    "test_pip_settings.py::test_places": _SPELLING,
    "test_policy_config.py::test_place_of_a_list": _SPELLING,
    "test_policy_config.py::test_site_file_is_not_loosened": _XDG,
    "test_policy_config.py::test_variables": _XDG,
    "test_policy_end_to_end.py": _HOME,
    "test_policy_index.py": _HOME,
    "test_process_end.py::test_output_that_cannot_be_flushed_is_reported": _MODES,
    "test_quoted_messages.py": _SPELLING,
    "test_readme.py::test_troubleshooting_is_current": _SPELLING,
    "test_real_servers.py": _SERVERS,
    "test_receipt.py::test_unusable": _MODES,
    "test_receipt.py::test_write_keeps_link": _MODES,
    "test_receipt.py::test_write_keeps_mode": _MODES,
    "test_receipt.py::test_write_new_file": _MODES,
    "test_receipt.py::test_place_of_new": _XDG,
    "test_receipt.py::test_write_replaces_rather_than_changes": _OPEN,
    "test_receipt_as_uv.py": _HOME,
    "test_receipt_that_lies.py": _HOME,
    "test_redirects_and_credentials.py::test_netrc": _MODES,
    "test_redirects_nearby.py": _NETWORKS,
    "test_rehearse.py": _HOME,
    "test_release_installer.py": _HOME,
    "test_release_installer_killed.py": _PROCESSES,
    "test_replacing.py": _MODES,
    "test_requests_counted.py": _HOME,
    "test_required.py": _HOME,
    "test_script_path.py::test_script_that_is_not_run": _HOME,
    "test_script_policy.py::test_ours_is_run_in_constrained_language": _HOME,
    "test_script_policy.py::test_powershell_is_asked_for_its_mode": _SH,
    "test_script_policy.py::test_real_uv_stops_before_anything_is_touched": _HOME,
    "test_script_policy.py::test_release_is_refused_in_constrained_language": _HOME,
    "test_scripts.py::test_failing_script_prints_its_reason": _SH,
    "test_scripts.py::test_failure_is_handed_on": _SH,
    "test_scripts.py::test_native_script_hands_over": _SH,
    "test_scripts.py::test_native_script_keeps_the_secret": _SH,
    "test_secrets_stay_hidden.py": _HOME,
    "test_servers_seen.py": _SERVERS,
    "test_servers_start.py": _SERVERS,
    "test_settings.py::test_no_warning_without_secret": _MODES,
    "test_settings.py::test_parse_source": _SPELLING,
    "test_settings.py::test_secret_in_the_site_file": _MODES,
    "test_settings.py::test_secret_that_others_can_read": _MODES,
    "test_shadow.py": _HOME,
    "test_signals.py": _PROCESSES,
    "test_simulator.py::test_catalogue": _ARCHIVES,
    "test_snapshots.py::test_changed_bit_is_seen": _MODES,
    "test_sources_directory.py": _MODES,
    "test_sources_github.py::test_copied_files": _ARCHIVES,
    "test_sources_github.py::test_private_file": _ARCHIVES,
    "test_sources_github.py::test_public_file": _ARCHIVES,
    "test_sources_index.py": _SH,
    "test_sources_order.py::test_index_is_asked_as_the_command_line_says": _SH,
    "test_staging.py": _SH,
    "test_stored_logins.py": _SERVERS,
    "test_survey.py::test_inspect_wheel": _HOME,
    "test_survey.py::test_overview_complete": _ARCHIVES,
    "test_system_file.py": _HOME,
    "test_temporary.py": _MODES,
    "test_systems.py::test_other_systems_can_collect_theirs": _MOST,
    "test_systems.py::test_what_windows_lacks_would_be_seen": _MOST,
    "test_tampering.py": _HOME,
    "test_through_proxies.py": _NETWORKS,
    "test_through_tls.py": _SERVERS,
    "test_traced.py": _HOME,
    "test_trust.py::test_folders": _MODES,
    "test_trust.py::test_one_context_for_many": _OPENSSL,
    "test_trust.py::test_system_stays": _OPENSSL,
    "test_two_at_once.py": _PROCESSES,
    "test_upstream.py::test_unreadable_file": _SPELLING,
    "test_upstream_answers.py::test_no_regular_file": _MODES,
    "test_uv_certificates.py::test_merged": _MODES,
    "test_uv_settings.py": _HOME,
    "test_uv_proxies.py::test_real_uv": _HOME,
    "test_uv_toml.py::test_folders_of_the_system": _XDG,
    "test_uv_toml.py::test_real_uv_reads_the_same_files": _HOME,
    "test_wheel.py": _HOME,
    "test_workplace.py::test_first_that_was_killed": _SPELLING,
    "test_workplace.py::test_links_are_not_followed": _MODES,
    "test_workplace.py::test_nothing_is_left": _MODES,
    "test_workplace.py::test_nothing_is_left_on_exfat": _EXFAT,
    "test_workplace.py::test_open_file_stays_in_its_directory": _MODES,
    "test_workplace.py::test_what_others_cannot_replace_is_not_shown": _MODES,
    "test_kept.py::test_next_run_requests_the_rest": _MODES,
    "test_kept.py::test_update_after_an_interrupted_one": _HOME,
    "test_kept.py::test_what_is_not_as_it_was_kept": _MODES,
    "test_progress.py::test_message": _ESCAPES,
    "test_progress.py::test_where_it_is_wanted": _ESCAPES,
    "test_transcripts.py": _PROCESSES,
}
"""A file, or a test of one that runs everywhere else."""


def left_out(platform: str) -> dict[str, Needs]:
    """Return what is left out on a system: whole files, and tests of others."""
    return {name: needs for name, needs in TABLE.items() if platform not in needs.systems}


def report(platform: str) -> list[str]:
    """Return the lines that say so: one for each reason."""
    lines: dict[str, list[str]] = {}
    for name, needs in left_out(platform).items():
        lines.setdefault(needs.why, []).append(name)
    return [f"left out, for want of {why}: {', '.join(names)}" for why, names in lines.items()]
