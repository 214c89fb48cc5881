"""The customers' briefs, sentence by sentence: each has a test here, and `docs/briefs.md` is made from them."""
