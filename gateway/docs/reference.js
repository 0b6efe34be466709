// A file of its own because the page's policy forbids scripts inside the page.
const services = ["catalog", "identity", "ordering", "payments", "notifier"];

window.addEventListener("load", () => {
  SwaggerUIBundle({
    dom_id: "#reference",
    urls: services.map((name) => ({ name, url: `/openapi/${name}.json` })),
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    layout: "StandaloneLayout",
    deepLinking: true,
    validatorUrl: null,
  });
});
