"use strict";
// The token is kept in this page's memory only: nothing is stored, and nothing is sent but to
// the gateway that gave the page.
window.reference = SwaggerUIBundle({
  dom_id: "#reference",
  url: "/openapi.json",
  validatorUrl: null,            // else it asks a server on the internet
  persistAuthorization: false,
  queryConfigEnabled: false,     // else ?url= would show somebody else's description
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  requestSnippetsEnabled: false,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});
