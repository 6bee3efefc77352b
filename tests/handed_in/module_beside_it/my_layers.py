Scale = None
