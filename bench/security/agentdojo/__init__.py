"""AgentDojo's tasks and attacks, with the router between a model that always obeys and the tools."""
