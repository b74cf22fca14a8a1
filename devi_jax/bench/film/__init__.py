"""What becomes of real films: scene, clip and policies, film by film, failures among them."""
