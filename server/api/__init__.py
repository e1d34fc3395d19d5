"""What machines ask the centre: exchange, enrolment, catalogue, courier, health."""
