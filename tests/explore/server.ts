/** In the place of the HTTP application, which takes longer to build than anything else and which nobody asks here. */
export const createHttpApp = () => () => {
  throw new Error('nobody asks over HTTP');
};
