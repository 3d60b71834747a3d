"""Tables and one repository per noun."""
