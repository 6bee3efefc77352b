def times(x, number):
    return x * number


def clipped(x):
    return x.clamp(min=0)
