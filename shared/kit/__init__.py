"""Small pure things everything else is made of: time, ids, money, errors. No I/O, no framework."""
