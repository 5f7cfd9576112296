# The installer of uv @VERSION@ of a mirror, made by uv-self-update.
$ErrorActionPreference = "Stop"
$app_version = "@VERSION@"
$url = if ($env:UV_DOWNLOAD_URL) { $env:UV_DOWNLOAD_URL } else { $env:INSTALLER_DOWNLOAD_URL }
if (-not $url) {
  $base = if ($env:UV_INSTALLER_GHE_BASE_URL) { $env:UV_INSTALLER_GHE_BASE_URL } else { $env:UV_INSTALLER_GITHUB_BASE_URL }
  $url = if ($base) { $base.TrimEnd("/") + "/@LINKED@/$app_version" } else { "@URL@" }
}
if (-not $url) { throw "set UV_DOWNLOAD_URL to the directory that has uv's archives" }
$cpu = if ($env:PROCESSOR_ARCHITEW6432) { $env:PROCESSOR_ARCHITEW6432 } else { $env:PROCESSOR_ARCHITECTURE }
$triple = switch ($cpu) {
  "ARM64" { "aarch64-pc-windows-msvc" }
  "x86" { "i686-pc-windows-msvc" }
  default { "x86_64-pc-windows-msvc" }
}
$digests = @{
# @ARMS@
}
if (-not $digests[$triple]) { throw "this mirror has no uv $app_version for $triple" }
$work = New-Item -ItemType Directory -Path (Join-Path ([IO.Path]::GetTempPath()) ([Guid]::NewGuid()))
try {
  $file = Join-Path $work "uv-$triple.zip"
  (New-Object Net.WebClient).DownloadFile($url.TrimEnd("/") + "/uv-$triple.zip", $file)
  if ((Get-FileHash -Algorithm SHA256 $file).Hash -ne $digests[$triple]) { throw "uv-$triple.zip has another sha256 than its release" }
  Expand-Archive -Path $file -DestinationPath $work
  $prefix = if ($env:UV_INSTALL_DIR) { $env:UV_INSTALL_DIR } elseif ($env:CARGO_DIST_FORCE_INSTALL_DIR) { $env:CARGO_DIST_FORCE_INSTALL_DIR } else { Join-Path $HOME ".local\bin" }
  $null = New-Item -ItemType Directory -Force -Path $prefix
  foreach ($name in "uvx.exe", "uvw.exe", "uv.exe") {
    $new = Join-Path $work $name
    if (Test-Path $new) { Copy-Item $new -Destination (Join-Path $prefix $name) -Force }
  }
  if (-not $env:UV_DISABLE_UPDATE) {
    $config = Join-Path $env:LOCALAPPDATA "uv"
    $null = New-Item -ItemType Directory -Force -Path $config
    $receipt = @{
      binaries = @("uv.exe", "uvx.exe", "uvw.exe"); binary_aliases = @{}; cdylibs = @(); cstaticlibs = @()
      install_layout = "flat"; install_prefix = "$prefix"; modify_path = ($env:UV_NO_MODIFY_PATH -ne "1")
      provider = @{ source = "cargo-dist"; version = "0.31.0" }
      source = @{ app_name = "uv"; name = "uv"; owner = "astral-sh"; release_type = "github" }
      version = $app_version
    }
    [IO.File]::WriteAllText((Join-Path $config "uv-receipt.json"), ($receipt | ConvertTo-Json -Depth 4))
  }
} finally { Remove-Item -Recurse -Force $work }
