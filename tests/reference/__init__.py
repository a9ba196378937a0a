"""Independent plain versions of the published training rounds, written from the papers with torch alone.

Nothing here imports zerosum. A recipe's test plays the same round with zerosum and with these functions and compares.
"""
