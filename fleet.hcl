# A fleet of dedicated XMRig hosts. Make this file yours, then:
#
#   xmrfleet validate     is the file right?
#   xmrfleet plan         what would change? Changes nothing.
#   xmrfleet apply        make it so
#
# What is said at the top holds for all hosts; a group and, last, a host can
# say it differently.

# The Monero address that is paid. A typo is refused: the checksum is verified.
wallet = env("MONERO_WALLET")

# Several pools are tried in this order.
pool "hashvault" {
  url       = "pool.hashvault.pro:443"
  tls       = true
  keepalive = true
}

# The rest comes from ~/.ssh/config.
ssh {
  user = "deploy"
}

# Of the release archive. It stands in SHA256SUMS beside the archive:
# https://github.com/xmrig/xmrig/releases/tag/v6.26.0
# Give it with --var xmrig_sha256=... or as XMRFLEET_VAR_xmrig_sha256.
variable "xmrig_sha256" {
  type = string
}

# A mirror's URL, or a file beside this one. Null is the project's release.
variable "xmrig_source" {
  type    = string
  default = null
}

xmrig {
  version          = "6.26.0"
  sha256           = var.xmrig_sha256
  source           = var.xmrig_source
  max_threads_hint = 50 # percent of the threads
  priority         = 1
  donate_level     = 1

  # Any further key of XMRig's config.json. Layers are merged, key by key.
  config = {
    print-time = 60
  }
}

# The health agent on every host.
agent {
  interval = "10s"
}

host "mini-1" {}

host "miner-beta" {
  xmrig {
    max_threads_hint = 75
  }
}

host "miner-gamma" {
  groups = ["office"]
}

host "miner-delta" {
  groups = ["office"]
}

# Quiet machines. "xmrfleet restart --limit @office" means these.
group "office" {
  xmrig {
    max_threads_hint = 25
    priority         = 0
  }
}

# Names may also come from elsewhere, for instance from Kamal:
# hosts = yamldecode(file("config/deploy.yml")).servers.web.hosts
