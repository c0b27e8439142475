"""HTTP before there are frames: the request, its answer, the upgrade, the tunnel of a proxy."""
