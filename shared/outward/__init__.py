"""Speaking to addresses that tenants gave: checked against inside targets, pinned, bounded, never redirected."""
