"""The standing case: night after night new logs are added, and the result is that of one run over all of them."""
