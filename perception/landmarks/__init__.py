"""Body and hands in the picture by small networks that need no licence to sign, lifted to the 52 joints."""
