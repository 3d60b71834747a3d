"""The simulated DigitalOcean: API v2 of droplets, their actions, tags, images, sizes, regions and monitoring."""
