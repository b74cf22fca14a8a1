"""DeVI in JAX and MuJoCo: dexterous human-object interaction learned by imitating videos."""
