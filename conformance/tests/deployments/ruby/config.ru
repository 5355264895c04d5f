require_relative "app"
run Agent
