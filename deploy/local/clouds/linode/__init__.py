"""The simulated Linode: API v4 of instances, types, images, regions, profile and statistics."""
