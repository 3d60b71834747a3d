"""How do the prices of assets come into each provider's price list? From `assets.csv`: see `__main__.py`."""
