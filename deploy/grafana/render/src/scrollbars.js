// Tables scroll by this package; bundled as it is, its default export arrives wrapped in an object.
const scrollbars = require('../node_modules/react-custom-scrollbars-2/lib/index.js');
export const Scrollbars = scrollbars.Scrollbars;
export default scrollbars.Scrollbars;
