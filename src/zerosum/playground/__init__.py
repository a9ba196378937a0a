"""The playground: games of two dense networks on points of the plane, in one page that trains in the browser."""
