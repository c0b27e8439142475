"""What happens over time. Time is an argument; no sockets, no clocks, no threads here."""
