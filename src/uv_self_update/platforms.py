"""What differs between platforms: uv's target triple, its archive, its executables."""

from __future__ import annotations

from uv_self_update.values import frozen

_MACHINES = {
    "amd64": "x86_64",
    "arm64": "aarch64",
    "i386": "i686",
    "i586": "i686",
    "x86": "i686",
    "win32": "i686",
    "ppc64el": "powerpc64le",
    "ppc64le": "powerpc64le",
    "riscv64": "riscv64gc",
    "armv6l": "arm",
    "armv7l": "armv7",
}
_HARD_FLOAT = {"arm": "musleabihf", "armv7": "{libc}eabihf"}


@frozen
class Platform:
    """Where a uv runs."""

    triple: str
    """As in the names of uv's archives: `x86_64-unknown-linux-gnu`."""

    @property
    def windows(self) -> bool:
        """Whether it is Windows."""
        return "-windows-" in self.triple

    @property
    def archive(self) -> str:
        """The name of the archive that holds uv for this platform."""
        return f"uv-{self.triple}" + (".zip" if self.windows else ".tar.gz")

    @property
    def installer(self) -> str:
        """The name of the installer that uv runs on this platform."""
        return "uv-installer.ps1" if self.windows else "uv-installer.sh"

    @property
    def uv(self) -> str:
        """The file name of uv itself."""
        return "uv.exe" if self.windows else "uv"

    @property
    def executables(self) -> tuple[str, ...]:
        """The file names of all that a release may bring; uv itself last.

        uv is the one that users run, so it changes only when the others are in place.
        """
        return ("uvx.exe", "uvw.exe", "uv.exe") if self.windows else ("uvx", "uv")


def triple_of(name: str) -> str | None:
    """Return the target triple in the name of an archive of uv; None for any other file."""
    for ending in (".tar.gz", ".zip"):
        if name.startswith("uv-") and name.endswith(ending):
            triple = name.removeprefix("uv-").removesuffix(ending)
            parts = triple.replace("_", "").split("-")
            known = triple.isascii() and triple.islower() and all(map(str.isalnum, parts))
            return triple if known and len(parts) > 1 else None
    return None


def identify(*, system: str, machine: str, libc: str) -> Platform:
    """Name the platform that a Python runs on.

    Args:
        system: As `platform.system()` has it: `Linux`, `Darwin`, `Windows`.
        machine: As `platform.machine()` has it.
        libc: As `platform.libc_ver()[0]` has it: `glibc`, or empty for another.
    """
    cpu = _MACHINES.get(machine.lower(), machine.lower())
    if system == "Windows":
        return Platform(triple=f"{cpu}-pc-windows-msvc")
    if system == "Darwin":
        return Platform(triple=f"{cpu}-apple-darwin")
    name = "gnu" if libc == "glibc" else "musl"
    abi = _HARD_FLOAT.get(cpu, "{libc}").format(libc=name)
    return Platform(triple=f"{cpu}-unknown-linux-{abi}")


def current() -> Platform:
    """Name the platform that this Python runs on."""
    import platform  # noqa: PLC0415 # slow, and the first connection is begun before

    machine = platform.machine()
    if (
        not machine
    ):  # on Windows, without PROCESSOR_ARCHITECTURE in the environment, and without WMI
        import sysconfig  # noqa: PLC0415 # slow, and rarely needed

        machine = sysconfig.get_platform().removeprefix("win-")
    return identify(system=platform.system(), machine=machine, libc=platform.libc_ver()[0])
