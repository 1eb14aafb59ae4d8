// The addresses are relative, for servers behind a proxy with a path. A validator
// would be asked outside.
SwaggerUIBundle({
  url: "openapi.yaml",
  dom_id: "#page",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
