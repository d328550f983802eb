export const arm64Cases = () => ({});
