def table(rows):
    """One line per row, the numbers aligned."""
    width = max((len(str(number)) for _, number in rows), default=0)
    return "\n".join(f"{number:>{width}} {word}" for word, number in rows)
