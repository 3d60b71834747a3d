"""The gateway's tables: one repository per noun, each function takes the open work."""
