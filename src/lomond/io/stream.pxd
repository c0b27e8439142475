# no types: its generator is what is compiled
