"""What does costs keep, and how is it asked?"""
