"""Payment processors behind one interface: who moves the money, asked so that asking again is harmless."""
