"""The vocabulary of all three packages. Imports only the standard library."""
