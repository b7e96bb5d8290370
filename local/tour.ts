/**
 * A first walk through the shop, as commands for any POSIX shell with curl: register, look, buy, look again. The README
 * shows the same text and a test runs it.
 * @param url address of the gateway
 */
export const tour = (url: string): string => `SHOP=${url}

TOKEN=$(curl -s "$SHOP/api/users/register" -H 'Content-Type: application/json' \\
  -d '{"name": "Ada", "email": "ada.'$(date +%s)'@example.com", "password": "a long enough password"}' |
  sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/')

PRODUCT=$(curl -s "$SHOP/api/products?search=teapot" | sed 's/.*"items":\\[{"id":"\\([^"]*\\)".*/\\1/')

curl -s "$SHOP/api/inventory/$PRODUCT"; echo

curl -s "$SHOP/api/orders" -H "Authorization: Bearer $TOKEN" -H "Idempotency-Key: tour-$(date +%s)" \\
  -H 'Content-Type: application/json' -d '{
    "items": [{"productId": "'$PRODUCT'", "quantity": 2}],
    "shippingAddress": {"name": "Ada", "line1": "12 Mill Lane", "city": "York", "postcode": "YO1 7HH", "country": "GB"},
    "payment": {"token": "tok_visa"}
  }'; echo

curl -s "$SHOP/api/inventory/$PRODUCT"; echo
`;
