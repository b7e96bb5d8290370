/** Where the gateway's own answers are. */
export const links = {
  documentation: '/docs',
  openapi: '/openapi.json',
  health: '/health',
  products: '/api/products',
};

const head = (title: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>`;

export const homePage = `${head('Tradepost')}
<link rel="stylesheet" href="/docs/page.css">
<link rel="icon" href="/docs/favicon-32x32.png">
</head>
<body>
<main>
<h1>Tradepost</h1>
<p>This is the API of the shop. Everything under <code>/api</code> speaks JSON.</p>
<ul>
<li><a href="${links.documentation}">Documentation</a> of every call, to read and to try</li>
<li><a href="${links.openapi}">OpenAPI document</a> for tools</li>
<li><a href="${links.products}">Products</a>, open to everyone</li>
<li><a href="${links.health}">Health</a> of the gateway and its services</li>
</ul>
</main>
</body>
</html>
`;

export const pageStyle = `:root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif; }
main { max-width: 38rem; margin: 12vh auto; padding: 0 1.5rem; }
h1 { margin-bottom: 0.25rem; }
li { margin: 0.5rem 0; }
a { text-underline-offset: 0.2em; }
`;

export const docsPage = `${head('Tradepost API')}
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

/** Starts Swagger UI; a file of its own because the page allows no inline scripts. */
export const docsScript = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  docExpansion: 'none',
  tryItOutEnabled: true,
  validatorUrl: null,
});
`;
